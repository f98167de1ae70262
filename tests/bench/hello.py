"""The least that Flask can answer: what the ratio of a tap is taken from."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Say hello."""
    return "hello"
