"""The live terminal board: a model that events are applied to, and a drawing of it. Neither does any I/O; `reader`
brings the events of the topics, and `screen` shows what is drawn.

>>> from rich.console import Console
>>> from stream.board import BoardModel, render
>>> Console(width=60, height=24).print(render(BoardModel(), width=60, height=24))  # doctest: +ELLIPSIS
 DECIBEL   index -  incidents 0...
waiting for the first score...
"""

from stream.board.model import BoardModel
from stream.board.view import render

__all__ = ["BoardModel", "render"]
