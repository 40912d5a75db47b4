package simbus

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
)

// Handler answers the requests of one bus. It may be called from several
// connections at once. An error wrapping ErrNACK or ErrTimeout reaches the
// client as such, any other as ErrRefused with its text. The request's memory
// is the handler's until it returns.
type Handler func(request []byte) (reply []byte, err error)

// I2C makes a Handler of a bus: tx writes w to the device at addr and returns
// n bytes read from it.
func I2C(tx func(addr uint16, w []byte, n int) ([]byte, error)) Handler {
	return func(request []byte) ([]byte, error) {
		if len(request) < i2cHeader {
			return nil, errors.New("a transaction has an address and a count")
		}
		addr := binary.BigEndian.Uint16(request)
		n := int(binary.BigEndian.Uint16(request[2:]))
		if n > maxTransfer || len(request)-i2cHeader > maxTransfer {
			return nil, fmt.Errorf("at most %d bytes each way", maxTransfer)
		}
		r, err := tx(addr, request[i2cHeader:], n)
		if err == nil && len(r) != n {
			return nil, fmt.Errorf("device 0x%02x gave %d bytes of %d", addr, len(r), n)
		}
		return r, err
	}
}

// Pins makes a Handler of a bank of pins.
func Pins(read func(pin string) (bool, error), write func(pin string, level bool) error) Handler {
	return func(request []byte) ([]byte, error) {
		switch {
		case len(request) > 1 && request[0] == opRead && len(request) <= 1+maxName:
			level, err := read(string(request[1:]))
			return []byte{boolByte(level)}, err
		case len(request) > 2 && request[0] == opWrite && request[1] <= 1 && len(request) <= 2+maxName:
			return nil, write(string(request[2:]), request[1] == 1)
		}
		return nil, errors.New("not a pin request")
	}
}

// Serve answers clients on l until ctx ends, then closes l and every
// connection, waits for their goroutines and returns ctx.Err(). It takes over
// l. buses finds a bus by the name in a client's hello.
func Serve(ctx context.Context, l net.Listener, buses func(name string) (Handler, bool), log *slog.Logger) error {
	return ServeBeside(ctx, l, buses, nil, log)
}

// ServeBeside is Serve that leaves clients who do not begin with a hello to
// other, unless that is nil. other returns when its client's stream ends.
func ServeBeside(ctx context.Context, l net.Listener, buses func(name string) (Handler, bool),
	other func(r *bufio.Reader, w io.Writer) error, log *slog.Logger,
) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
	serving, cancel := context.WithCancel(ctx) // ends too when Accept fails
	defer cancel()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("accept: %w", err)
		}
		clients.Go(func() {
			stop := context.AfterFunc(serving, func() { _ = conn.Close() })
			defer stop()
			defer func() { _ = conn.Close() }()
			err := serve(conn, buses, other)
			if err != nil && !errors.Is(err, io.EOF) && serving.Err() == nil {
				log.Debug("client dropped", "client", conn.RemoteAddr().String(), "err", err)
			}
		})
	}
}

// serve speaks with one client until its stream ends or breaks the framing.
func serve(stream io.ReadWriter, buses func(string) (Handler, bool), other func(*bufio.Reader, io.Writer) error) error {
	r := bufio.NewReader(stream)
	if first, err := r.Peek(len(magic)); err == nil && other != nil && string(first) != magic {
		return other(r, stream)
	}
	name, err := readHello(r)
	if err != nil {
		return err
	}
	handler, known := buses(name)
	if !known {
		refusal := fmt.Sprintf("there is no bus %q here", name)
		_, err := stream.Write(appendReply(nil, 0, statusRefused, []byte(refusal)))
		return err
	}
	out := appendReply(nil, 0, statusOK, nil)
	var in []byte
	for {
		if _, err := stream.Write(out); err != nil {
			return err
		}
		var seq uint32
		seq, in, err = readRequest(r, in)
		if err != nil {
			return err
		}
		out = answer(out[:0], seq, handler, in)
	}
}

func answer(out []byte, seq uint32, handler Handler, request []byte) []byte {
	reply, err := handler(request)
	s, text := statusOf(err)
	if s != statusOK {
		reply = []byte(text)
	}
	if len(reply) > maxBody {
		s, reply = statusRefused, []byte("the answer does not fit into a frame")
	}
	return appendReply(out, seq, s, reply)
}
