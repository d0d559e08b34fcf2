"""Reading address books in vCard 2.1, 3.0 and 4.0, and writing 3.0 and 4.0 so that it reads as it was.

Any bytes at all end in contacts and failures.

`splitting` cuts a stream into cards, `lines` takes one card's lines apart, `properties` and `card` make a contact of
them, `importing` does all of it for an import; `writing` makes a card of a contact.

vobject does not read them: it stops at the first broken card, and its pattern for a line takes exponential time on
`A;B=======`. Tests check that what it writes is read as it was meant.
"""
