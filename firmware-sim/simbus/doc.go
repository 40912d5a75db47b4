// Package simbus carries the buses of a simulated board over TCP: I2C, GPIO
// and the "world" channel that tests use to watch and to disturb. The shipped
// gateway agent dials it with a URL such as sim://127.0.0.1:7762/i2c-1 where a
// real box would open /dev/i2c-1.
//
// # Protocol
//
// One listener carries every bus; one connection belongs to one bus and has at
// most one request in flight. All integers are big endian.
//
//	hello    "SIM1"  u8 n  n bytes bus name      → reply with seq 0
//	request  u32 seq  u16 n  n bytes             → reply with the same seq
//	reply    u32 seq  u8 status  u16 n  n bytes
//
// Status 0 is success and carries the answer, 1 a missing acknowledge on the
// bus, 2 a bus that did not finish in time, 3 a refusal whose bytes are the
// reason in words. What is inside depends on the bus:
//
//	i2c-*   u16 address  u16 bytes to read  bytes to write   → the bytes read
//	gpio    u8 0  pin name                                   → u8 level
//	gpio    u8 1  u8 level  pin name                         → nothing
//	world   one JSON object                                  → one JSON value
//
// A peer that breaks the framing is disconnected.
package simbus
