// Package bench measures Nirapod as it is shipped, from the wire to the commit
// and from the register to the siren, and publishes the figures of
// docs/performance.md. A short form of it is an ordinary test; `make bench` runs
// the long one.
package bench
