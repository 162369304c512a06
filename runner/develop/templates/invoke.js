import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});

// Calls another function of the site and passes its answer on.
export const handler = async (event) => {
  const called = await lambda.send(
    new InvokeCommand({
      // The version that belongs to this release: its name comes from the environment.
      FunctionName: process.env.JAM_FUNCTION_OTHER,
      // It hears what this one heard. With InvocationType "Event" nobody waits for its answer.
      Payload: JSON.stringify(event),
    }),
  );
  const answer = JSON.parse(Buffer.from(called.Payload).toString());
  // Its error is an answer too: the call itself went well.
  if (called.FunctionError) throw new Error(`the other function failed: ${answer.errorMessage}`);
  return answer;
};
