package simbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	magic = "SIM1"
	// maxBody bounds a frame's body: it is what its u16 length can say.
	maxBody = 1<<16 - 1
	// maxName bounds the names of buses and pins.
	maxName = 64

	requestHeader = 6
	replyHeader   = 7
)

type status uint8

const (
	statusOK status = iota
	statusNACK
	statusTimeout
	statusRefused
)

// statusOf is how an error of a handler travels; errorOf is its inverse.
func statusOf(err error) (status, string) {
	switch {
	case err == nil:
		return statusOK, ""
	case errors.Is(err, ErrNACK):
		return statusNACK, ""
	case errors.Is(err, ErrTimeout):
		return statusTimeout, ""
	}
	return statusRefused, err.Error()
}

func errorOf(s status, text []byte) error {
	switch s {
	case statusOK:
		return nil
	case statusNACK:
		return ErrNACK
	case statusTimeout:
		return ErrTimeout
	case statusRefused:
		return fmt.Errorf("%w: %s", ErrRefused, text)
	}
	return fmt.Errorf("%w: status %d is not known", ErrLink, s)
}

func appendHello(b []byte, bus string) []byte {
	b = append(b, magic...)
	b = append(b, byte(len(bus)))
	return append(b, bus...)
}

func readHello(r io.Reader) (bus string, err error) {
	var head [len(magic) + 1]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	n := head[len(magic)]
	if string(head[:len(magic)]) != magic || n == 0 || n > maxName {
		return "", errors.New("not a simbus hello")
	}
	name := make([]byte, n)
	_, err = io.ReadFull(r, name)
	return string(name), err
}

// beginRequest appends a request's header with an empty length, for endRequest
// to fill once the body stands behind it.
func beginRequest(b []byte, seq uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, seq)
	return append(b, 0, 0)
}

func endRequest(b []byte) error {
	n := len(b) - requestHeader
	if n > maxBody {
		return fmt.Errorf("%w: a request of %d bytes", ErrRefused, n)
	}
	binary.BigEndian.PutUint16(b[requestHeader-2:], uint16(n))
	return nil
}

// readRequest returns the body in buf's memory, which grows as needed.
func readRequest(r io.Reader, buf []byte) (seq uint32, body []byte, err error) {
	var head [requestHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, buf, err
	}
	body, err = readBody(r, buf, int(binary.BigEndian.Uint16(head[4:])))
	return binary.BigEndian.Uint32(head[:]), body, err
}

func appendReply(b []byte, seq uint32, s status, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, seq)
	b = append(b, byte(s))
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...)
}

func readReply(r io.Reader, buf []byte) (seq uint32, s status, body []byte, err error) {
	var head [replyHeader]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, buf, err
	}
	body, err = readBody(r, buf, int(binary.BigEndian.Uint16(head[5:])))
	return binary.BigEndian.Uint32(head[:]), status(head[4]), body, err
}

func readBody(r io.Reader, buf []byte, n int) ([]byte, error) {
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	_, err := io.ReadFull(r, buf)
	return buf, err
}
