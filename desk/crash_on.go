//go:build crashpoints

package desk

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// crashPoint kills this process as kill -9 does, with the probability that the
// environment gives for the named moment (NIRAPOD_CRASH=desk-before-keep:0.5).
func crashPoint(name string) {
	point, odds, _ := strings.Cut(os.Getenv("NIRAPOD_CRASH"), ":")
	p, err := strconv.ParseFloat(odds, 64)
	if err == nil && point == name && rand.Float64() < p {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing more happens on this goroutine
	}
}
