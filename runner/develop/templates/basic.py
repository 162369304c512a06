import json


# The event is API Gateway's payload 2.0: method and path are in event["requestContext"]["http"],
# the query in event["queryStringParameters"].
def handler(event, context):
    name = event.get("queryStringParameters", {}).get("name", "world")
    # Whatever is printed appears under the function's name in `jam-deploy dev` and in CloudWatch.
    print(f"hello to {name}")
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": f"Hello, {name}!"}),
    }
