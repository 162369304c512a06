"""All notes on one page, their Markdown rendered."""

import os

import boto3
import markdown

table = boto3.resource("dynamodb").Table(os.environ["JAM_TABLE_NOTES"])


def handler(event, context):
    notes = sorted(table.scan()["Items"], key=lambda note: note["at"], reverse=True)
    text = "\n\n---\n\n".join(escape(note["text"]) for note in notes) or "*Nothing yet.*"
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/html; charset=utf-8"},
        "body": markdown.markdown(text),
    }


def escape(text):
    """Markdown lets HTML through; notes come from anybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
