// Package alerts decides what people are told: it turns the transitions of
// rules into alerts, alerts that belong together into incidents, and incidents
// of a notifiable kind into a signal and a notice that the desk receives.
//
// Everything it knows is in the state. A page of transitions, the alerts it
// changes and the cursor behind it are one transaction, so each transition
// counts exactly once through a kill -9. Grouping comes after that and apart
// from it: a fire is told before anyone asks what it belongs to. What has to
// leave the machine goes through a durable outbox and is repeated until the
// other side's answer is stored.
package alerts
