// Package sim is a factory without a factory: sensors as register machines on
// simulated buses, driven by a small physical model of rooms and fires. The
// shipped gateway agent reads it through simbus, unmodified.
//
// Everything in a World is a function of the scenario, the seed, the time given
// as an argument and what was written to it; only Server, the process's edge,
// reads a clock. Register machines are written from the makers' data sheets and
// share nothing with the agent's drivers, so that a mistake in one does not
// cancel the same mistake in the other.
//
// The physics exists to make sensors move as they do in a fire, in real units
// and in a plausible order. It is no fire model: do not size anything by it.
package sim
