package clock

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const timesyncMark = "/run/systemd/timesync/synchronized"

func bootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic(err) // a constant clock that every kernel since 2.6.39 has
	}
	return t.Nano() / int64(time.Millisecond)
}

func kernelSynced() (yes bool, errorMS int64) {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err == nil && t.Status&unix.STA_UNSYNC == 0 {
		return true, int64(t.Maxerror) / 1000
	}
	if _, err := os.Stat(timesyncMark); err == nil {
		return true, 1000 // systemd does not say; a second is generous
	}
	return false, 0
}
