"""Judgement -> people: the digest and the channels that carry it."""
