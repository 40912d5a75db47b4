// Package ingest takes what gateways send and makes it durable: decode,
// authorise, drop repeats, order, place in time, evaluate the rules, append to
// the series store, write the state, and only then tell the gateway that it may
// forget. One goroutine owns all of it.
//
// The broker may lose, repeat or reorder anything, and the process may be
// killed at any moment; nothing is lost and nothing is told twice, because
//   - a gateway resends what was not committed;
//   - progress, transitions and engine states are one transaction of the
//     state, so a transition is there exactly when the engine knows it;
//   - readings are in the series store before progress says so, and storing
//     them once more changes nothing.
package ingest
