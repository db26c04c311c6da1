"""The main job: a Litestar application as shipped, and the same with logboom, under one load."""
