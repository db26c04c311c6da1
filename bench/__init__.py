"""The benchmark: logboom and its peers on the workloads of the table, every line counted.

How it works, and what holds throughout:

1. ``workloads.py`` is the table of what is measured, ``peers/`` of who is. ``python -m bench`` runs
   each pair of them once a round, in a process of its own, in an order that is drawn anew for each
   round from a fixed seed. So the noise of the machine hits all alike.
2. ``measure.py`` is that process. It prints one JSON object; what it did not print, it did not do.
   A peer that cannot be imported, hangs, dies or writes wrong or too few lines is a fault that the
   result names.
3. Every figure is a median over the rounds with its least and greatest value. Ratios are made
   within a round, or within one process where both sides run in it, and only then summed up.
4. The calls of peers are written as text and put into one module (``subject.py``), so that all of
   them run in the same loop, at a real place in a real file.
5. Only ``peers/`` and ``litestar_app.py`` know third parties. The rest needs the standard library.

It does not judge: ``goals.py`` puts the figures beside the goals, and nothing fails for a slow day.
``instructions.py`` counts instructions, which do not depend on the day, and does fail.
Tests: ``tests/python/test_bench.py``.
"""
