// Package agent is the gateway: it reads sensors, judges them by the local
// rules, sounds the outputs, and reports to the server.
//
// What it promises, in this order: the outputs act on what the sensors say
// without server, broker, network or a working disk; nothing that was accepted
// into the spool is lost; and what cannot be known is said to be unknown.
//
// One goroutine reads each device. One, the core, owns the rules and the
// annunciator and never waits for a disk, a bus or the network. Outputs, spool
// and saved states each have a goroutine of their own that takes the newest
// from the core.
//
// Time inside the rules is the monotonic clock of the boot on a base that is
// chosen once and kept over restarts, so that it neither jumps nor goes back
// when the wall clock is set. Wall time is worked out when a record is stamped.
package agent
