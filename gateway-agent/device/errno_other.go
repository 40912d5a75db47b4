//go:build !linux

package device

import "syscall"

// remoteIO has a number on Linux only, where there are such adapters.
const remoteIO = syscall.ENXIO
