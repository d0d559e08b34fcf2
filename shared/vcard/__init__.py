"""Reading address books in vCard 2.1, 3.0 and 4.0: any bytes at all end in contacts and failures.

`splitting` cuts a stream into cards, `lines` reads one card's lines, `card` makes a contact of them.

vobject is not used to read: it stops at the first broken card, its pattern for a line takes exponential time on
`A;B=======`, and it drops 2.1's soft line breaks, groups' labels and dates without a year. Tests read what it writes.
"""
