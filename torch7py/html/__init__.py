"""Pages of HTML that stand alone: their markup, their frame and the one style sheet of all of them."""
