// Package wire is what gateways and server say to each other over MQTT: the
// topics, who may use them, and every payload. It is the only place with a
// topic string. docs/protocol.md tells the same in words, and its examples are
// this package's tests.
//
// Decoders are strict and bounded, never panic, and wrap safety.ErrInvalid;
// they judge form only. Whether a time is plausible, a sensor known or a
// gateway who it says it is, is for ingest to decide.
//
// All functions are safe for concurrent use.
package wire
