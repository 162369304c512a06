const MONTH = 29.530588853; // days from new moon to new moon
const NEW_MOON = Date.UTC(2000, 0, 6, 18, 14);
const PHASES = ["New moon", "Waxing crescent", "First quarter", "Waxing gibbous",
  "Full moon", "Waning gibbous", "Last quarter", "Waning crescent"];

/** How the moon looks now: its phase by name, and how much of it is lit. */
export default async (): Promise<Response> => {
  const age = ((Date.now() - NEW_MOON) / 86_400_000) % MONTH;
  const turn = age / MONTH;
  return Response.json({
    phase: PHASES[Math.round(turn * 8) % 8],
    lit: Math.round(((1 - Math.cos(2 * Math.PI * turn)) / 2) * 100),
  });
};
