import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { randomUUID } from "node:crypto";

// Made once for each process: connections are kept between calls.
const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));
// Previews have tables of their own: the name comes from the environment.
const TableName = process.env.JAM_TABLE_ITEMS;

const json = (statusCode, body) => ({
  statusCode,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

// GET lists the items, POST adds one.
export const handler = async (event) => {
  if (event.requestContext.http.method === "POST") return add(event);
  const found = await table.send(new ScanCommand({ TableName }));
  return json(200, { items: found.Items ?? [] });
};

async function add(event) {
  // A body that is no text arrives in base64.
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString();
  const item = { text: String(JSON.parse(body || "{}").text ?? ""), id: randomUUID() };
  await table.send(new PutCommand({ TableName, Item: item }));
  return json(201, item);
}
