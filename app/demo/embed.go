// Package demo holds the demonstration factory: its site file for the server
// and, once installed, its agent's file for the box on the wall. Nobody works
// there.
package demo

import _ "embed" // the files

// Site is the site file of "Padma Garments (demo)".
//
//go:embed site.yaml
var Site []byte

// Agent is the configuration of its gateway. The demo fills in where the
// simulator, the broker and the data directory are.
//
//go:embed agent.yaml
var Agent []byte

// Ids of the demonstration.
const (
	Factory = "padma"
	Gateway = "gw-1"
	Office  = "gazipur"
)
