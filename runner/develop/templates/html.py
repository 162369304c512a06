from html import escape

PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Hello</title>
  </head>
  <body>
    <h1>Hello, {name}!</h1>
  </body>
</html>
"""


# A page made for this request. Pages that are the same for everybody belong to the site's build.
def handler(event, context):
    name = event.get("queryStringParameters", {}).get("name", "world")
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/html; charset=utf-8"},
        # Text from a visitor never becomes markup.
        "body": PAGE.format(name=escape(name)),
    }
