import base64
import json
import os
import uuid

import boto3

# Made once for each process: connections are kept between calls. Previews have tables of their
# own: the name comes from the environment.
table = boto3.resource("dynamodb").Table(os.environ["JAM_TABLE_ITEMS"])


# GET lists the items, POST adds one.
def handler(event, context):
    if event["requestContext"]["http"]["method"] == "POST":
        return add(event)
    return answer(200, {"items": table.scan()["Items"]})


def add(event):
    body = event.get("body") or "{}"
    # A body that is no text arrives in base64.
    if event["isBase64Encoded"]:
        body = base64.b64decode(body)
    item = {"text": str(json.loads(body).get("text", "")), "id": str(uuid.uuid4())}
    table.put_item(Item=item)
    return answer(201, item)


def answer(status, body):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        # Numbers of DynamoDB are decimals, which JSON does not know.
        "body": json.dumps(body, default=float),
    }
