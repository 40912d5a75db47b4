package device

import "syscall"

// errRemoteIO is how most Linux adapters say that nothing acknowledged.
const errRemoteIO = syscall.EREMOTEIO
