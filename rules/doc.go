// Package rules decides what readings mean: readings and time in, transitions
// out. It does no I/O and reads no clock, so the gateway and the server run
// the same engine and the same packs and say the same thing.
//
// Conditions are written in expr, checked by expr and lowered to closures with
// three-valued logic. A number that is not known is never a number: unknown
// never clears an alarm and never makes one quiet. docs/rules.md is the
// specification; its tables are the tests.
package rules
