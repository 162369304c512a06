import { DeleteCommand, GetCommand } from "@aws-sdk/lib-dynamodb";
import { json, table, TableName } from "./_table";

interface Event {
  requestContext: { http: { method: string } };
  pathParameters: { id: string };
}

export const handler = async (event: Event) => {
  const Key = { id: decodeURIComponent(event.pathParameters.id) };
  if (event.requestContext.http.method === "DELETE") {
    await table.send(new DeleteCommand({ TableName, Key }));
    return { statusCode: 204 };
  }
  const found = await table.send(new GetCommand({ TableName, Key }));
  return found.Item ? json(200, found.Item) : json(404, { message: "There is no such note." });
};
