//go:build !linux

package device

import "syscall"

// errRemoteIO has a number on Linux only, where there are such adapters.
const errRemoteIO = syscall.ENXIO
