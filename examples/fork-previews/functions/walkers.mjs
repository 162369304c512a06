// How many are out: stands for whatever your functions look up. A fork's preview runs none.
export default async () => Response.json({ today: new Date().getUTCDate() + 3 });
