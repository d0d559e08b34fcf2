"""Reading and writing address books as CSV: any bytes at all end in records and failures.

`rows` takes a file's lines apart, `places` and `dialects` say where a column's values go in a contact, `reading` makes
a contact of one row, `importing` does all of it for an import; `writing` makes rows of contacts.

The standard library's csv reads rows by pulling lines, says nothing of where a row begins, and gives up on the whole
rest of a file after a quote that is never closed; rows are written with it.
"""
