package device

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"nirapod/firmware-sim/simbus"
)

// Kind wraps an error of a bus so that errors.Is tells its kind, whatever
// carries the bus. It returns nil for nil.
//
// Linux answers a missing acknowledge with EREMOTEIO or ENXIO, by adapter, and
// periph's sysfs bus formats the number into text, so the text is compared.
func Kind(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, simbus.ErrNACK), errnoIn(err, errRemoteIO), errnoIn(err, syscall.ENXIO):
		return fmt.Errorf("%w: %w", ErrNACK, err)
	case errors.Is(err, simbus.ErrTimeout), errors.Is(err, simbus.ErrLink), errnoIn(err, syscall.ETIMEDOUT):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}

func errnoIn(err error, number syscall.Errno) bool {
	return errors.Is(err, number) || strings.HasSuffix(err.Error(), number.Error())
}

func (p *Port) count(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.counts.OK++
		p.rest = firstRest
	case errors.Is(err, ErrNACK):
		p.counts.NACK++
	case errors.Is(err, ErrRefused):
		p.counts.Refused++
	case errors.Is(err, ErrTimeout):
		p.counts.Timeout++
	default:
		p.counts.Other++
	}
}
