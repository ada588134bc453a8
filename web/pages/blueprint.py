"""The one blueprint that all pages and static files hang on."""

from flask import Blueprint

blueprint = Blueprint("pages", __name__, template_folder="../templates")
