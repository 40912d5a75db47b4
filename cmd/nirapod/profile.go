//go:build profile

package main

import (
	"log"
	"net/http"
	_ "net/http/pprof" // offers the profiles
	"os"
)

// A binary built for measuring offers its profiles where NIRAPOD_PPROF says.
func init() {
	if address := os.Getenv("NIRAPOD_PPROF"); address != "" {
		go func() { log.Println(http.ListenAndServe(address, nil)) }()
	}
}
