"""The demo: the whole engine on this machine, with nothing else installed and nothing left behind.

`run` composes it: an embedded broker in this process, `decibel worker` as processes of their own (`workers`), the
view and its gateway as another (`pages`), both started and watched as `children`; a story told at a pace (`story`),
and the board fed by the engine's own topics. What it came to is in `summary`, how long a score took in `latency`.
"""
