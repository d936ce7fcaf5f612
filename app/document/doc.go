// Package document edits a JSON text in place: an edit changes the bytes of one value, or puts one in or takes one out,
// and leaves every other byte as its author wrote it: white space, the order of members, the spelling of numbers. It
// also says where the values of a text stand, and how two texts differ line by line.
//
// Values are named by JSON Pointers, either plain ("/inputs/0/name", RFC 6901) or as problems carry them, as a URI
// fragment ("#/inputs/0/name", section 6); the whole document is "" or "#".
//
// A text that is broken somewhere is read up to there. What stands whole before the break can be found and edited; an
// edit that needs to know what is behind it fails with ErrBroken, and changes nothing.
package document
