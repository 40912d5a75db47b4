//go:build !linux

package gpiochip

import "errors"

func open(string, request) (handle, error) {
	return nil, errors.New("GPIO chips are for Linux")
}
