package gpiochip

import (
	"bytes"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The second version of the kernel's interface to GPIO lines, linux/gpio.h.
// Unlike periph's use of it, outputs are requested with their levels.

const (
	flagInput    = 1 << 2
	flagOutput   = 1 << 3
	flagPullUp   = 1 << 8
	flagPullDown = 1 << 9

	attrFlags  = 1
	attrLevels = 2

	ioctlChip     = 0x8044B401 // GPIO_GET_CHIPINFO_IOCTL
	ioctlLineInfo = 0xC100B405 // GPIO_V2_GET_LINEINFO_IOCTL
	ioctlRequest  = 0xC250B407 // GPIO_V2_GET_LINE_IOCTL
	ioctlRead     = 0xC010B40E // GPIO_V2_LINE_GET_VALUES_IOCTL
	ioctlWrite    = 0xC010B40F // GPIO_V2_LINE_SET_VALUES_IOCTL

	maxAttrs = 10
)

type chipInfo struct {
	name, label [32]byte
	lines       uint32
}

type attribute struct {
	id, _ uint32
	value uint64
}

type lineInfo struct {
	name, consumer [32]byte
	offset, attrs  uint32
	flags          uint64
	attr           [maxAttrs]attribute
	_              [4]uint32
}

type lineConfig struct {
	flags uint64
	attrs uint32
	_     [5]uint32
	attr  [maxAttrs]struct {
		attribute
		mask uint64
	}
}

type lineRequest struct {
	offsets  [maxLines]uint32
	consumer [32]byte
	config   lineConfig
	lines    uint32
	_        [6]uint32 // event buffer, padding
	fd       int32
}

type lineValues struct{ bits, mask uint64 }

func ioctl(fd int, what uintptr, arg unsafe.Pointer) error {
	for {
		switch _, _, err := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), what, uintptr(arg)); err {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return err
		}
	}
}

// open asks the kernel for lines of a chip.
func open(chip string, r request) (handle, error) {
	fd, err := unix.Open("/dev/"+chip, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }() // what it gives out lives on
	offsets, err := find(fd, r.lines)
	if err != nil {
		return nil, err
	}
	req, err := r.forKernel(offsets)
	if err != nil {
		return nil, err
	}
	if err := ioctl(fd, ioctlRequest, unsafe.Pointer(&req)); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	return held(req.fd), nil
}

// find returns the offsets of lines by their names.
func find(fd int, names []string) ([]uint32, error) {
	var chip chipInfo
	if err := ioctl(fd, ioctlChip, unsafe.Pointer(&chip)); err != nil {
		return nil, err
	}
	var known []string
	for offset := range chip.lines {
		line := lineInfo{offset: offset}
		if err := ioctl(fd, ioctlLineInfo, unsafe.Pointer(&line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", offset, err)
		}
		name, _, _ := bytes.Cut(line.name[:], []byte{0})
		known = append(known, string(name))
	}
	offsets := make([]uint32, len(names))
	for i, name := range names {
		offset := slices.Index(known, name)
		if offset < 0 {
			return nil, fmt.Errorf("no line %s", name)
		}
		offsets[i] = uint32(offset) //nolint:gosec // below chip.lines
	}
	return offsets, nil
}

func (r request) forKernel(offsets []uint32) (lineRequest, error) {
	if len(offsets) > maxLines {
		return lineRequest{}, fmt.Errorf("%d lines: the kernel gives at most %d at once", len(offsets), maxLines)
	}
	req := lineRequest{lines: uint32(len(offsets))} //nolint:gosec // at most maxLines
	copy(req.offsets[:], offsets)
	copy(req.consumer[:], "nirapod")
	c, special := &req.config, r.bits
	c.attrs = 1
	if r.out {
		c.flags, special = flagOutput, 1<<len(offsets)-1
		c.attr[0].attribute = attribute{id: attrLevels, value: r.bits}
	} else {
		c.flags = flagInput | flagPullDown
		c.attr[0].attribute = attribute{id: attrFlags, value: flagInput | flagPullUp}
	}
	c.attr[0].mask = special
	if special == 0 {
		c.attrs = 0
	}
	return req, nil
}

// held is the file descriptor of requested lines.
type held int

func (h held) read(mask uint64) (uint64, error) {
	v := lineValues{mask: mask}
	err := ioctl(int(h), ioctlRead, unsafe.Pointer(&v))
	return v.bits, err
}

func (h held) write(bits, mask uint64) error {
	v := lineValues{bits: bits, mask: mask}
	return ioctl(int(h), ioctlWrite, unsafe.Pointer(&v))
}

func (h held) close() error { return unix.Close(int(h)) }
