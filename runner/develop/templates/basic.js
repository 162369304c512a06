// Answers with JSON. The event is API Gateway's payload 2.0: method and path are in
// `event.requestContext.http`, the query in `event.queryStringParameters`.
export const handler = async (event) => {
  const name = event.queryStringParameters?.name ?? "world";
  // Whatever is logged appears under the function's name in `jam-deploy dev` and in CloudWatch.
  console.log(`hello to ${name}`);
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ message: `Hello, ${name}!` }),
  };
};
