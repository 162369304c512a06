import { PutCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { nanoid } from "nanoid";
import { json, table, TableName } from "./_table";

interface Event {
  requestContext: { http: { method: string } };
  body?: string;
  isBase64Encoded?: boolean;
}

const text = (event: Event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body ?? "", "base64").toString() : event.body;
  return String(JSON.parse(body ?? "{}").text ?? "").trim();
};

export const handler = async (event: Event) => {
  if (event.requestContext.http.method === "POST") return add(text(event));
  const found = await table.send(new ScanCommand({ TableName }));
  const notes = (found.Items ?? []).sort((a, b) => (a.at < b.at ? 1 : -1));
  return json(200, { title: process.env.TITLE ?? "Notes", notes });
};

async function add(text: string) {
  if (!text) return json(400, { message: "A note needs a text." });
  const note = { id: nanoid(), text, at: new Date().toISOString() };
  await table.send(new PutCommand({ TableName, Item: note }));
  return json(201, note);
}
