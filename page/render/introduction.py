"""The head of the page."""

from page.render.environment import render

INTRODUCTION = render("introduction.html")
