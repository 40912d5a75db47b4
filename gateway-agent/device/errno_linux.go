package device

import "syscall"

// remoteIO is how most Linux adapters say that nothing acknowledged.
const remoteIO = syscall.EREMOTEIO
