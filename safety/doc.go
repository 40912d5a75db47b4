// Package safety holds the nouns that every part of Nirapod shares: readings
// and how far they can be trusted, the site and what stands in it, and what
// rules and people decided. It is a leaf: it imports only the standard
// library, does no I/O and knows no clock.
package safety
