"""Introductions worth making: two contacts who are not linked, have something in common, and whom somebody connects.

`network` is what is known of some contacts, read by `reading`; `ties` tells who knows whom, `paths` how two are
connected, `likings` what they have in common and what that weighs; `pairs` puts these together, and `suggesting` runs
all of it for a tenant or one contact. docs/insights.md gives the formula.
"""
