package mosquitto

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Reload tells the Mosquitto that wrote pidFile to read its files again. Those
// whose password has changed are disconnected.
func Reload(pidFile string) error {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return fmt.Errorf("%s: %q is no process id", pidFile, strings.TrimSpace(string(text)))
	}
	// The signal would end another program that has the number now.
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || strings.TrimSpace(string(name)) != "mosquitto" {
		return fmt.Errorf("%s: process %d is no mosquitto", pidFile, pid)
	}
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		return fmt.Errorf("signal to mosquitto, process %d: %w", pid, err)
	}
	return nil
}
