package sim

import (
	"bufio"
	"errors"
	"io"
	"time"
)

// Modbus RTU, from the specification: unit, function, data, CRC-16 low byte
// first. Over TCP nothing marks the end of a frame but its length.
const (
	rtuReadInput   = 0x04
	rtuRequest     = 8 // bytes of a request that reads registers
	rtuException   = 0x80
	rtuNoFunction  = 0x01
	rtuNoAddress   = 0x02
	rtuNoValue     = 0x03
	rtuMaxRegister = 125
)

// rtuCRC is the CRC-16 of Modbus: polynomial 0xA001 reflected, from 0xFFFF.
func rtuCRC(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			carry := crc & 1
			crc >>= 1
			if carry != 0 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}

func rtuFrame(b []byte) []byte {
	crc := rtuCRC(b)
	return append(b, byte(crc), byte(crc>>8))
}

// Serial lets the units of the RS-485 line answer one frame at now. Nobody
// answers a frame that is garbled or for a unit that is not there: nil.
func (w *World) Serial(now time.Duration, frame []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	if _, stuck := w.faults[serialLine].on(BusStuck, w.now); stuck || len(frame) < 4 {
		return nil
	}
	body := frame[:len(frame)-2]
	if crc := rtuCRC(body); frame[len(frame)-2] != byte(crc) || frame[len(frame)-1] != byte(crc>>8) {
		return nil
	}
	c := w.counters[body[0]]
	if c == nil {
		return nil
	}
	fs := w.faults[c.Target()]
	if _, absent := fs.on(NACK, w.now); absent {
		return nil
	}
	reply := rtuFrame(rtuAnswer(body, c.registers(w.now, fs)))
	if _, garbled := fs.on(BadCRC, w.now); garbled {
		reply[len(reply)-1] ^= 0xFF
	}
	return reply
}

// rtuAnswer does what a request without its CRC asks of a unit's registers.
func rtuAnswer(request []byte, registers []uint16) []byte {
	refuse := func(code byte) []byte { return []byte{request[0], request[1] | rtuException, code} }
	if request[1] != rtuReadInput || len(request) != rtuRequest-2 {
		return refuse(rtuNoFunction)
	}
	first, n := int(be16(request[2:])), int(be16(request[4:]))
	switch {
	case n < 1 || n > rtuMaxRegister:
		return refuse(rtuNoValue)
	case first+n > len(registers):
		return refuse(rtuNoAddress)
	}
	out := []byte{request[0], request[1], byte(2 * n)}
	for _, v := range registers[first : first+n] {
		hi, lo := put16(v)
		out = append(out, hi, lo)
	}
	return out
}

// serial speaks Modbus RTU with one client until its stream ends: the other
// end of a converter from TCP to RS-485.
func (s *Server) serial(r *bufio.Reader, w io.Writer) error {
	frame := make([]byte, rtuRequest)
	for {
		if _, err := io.ReadFull(r, frame); errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			return err
		}
		reply := s.world.Serial(s.elapsed(), frame)
		if reply == nil {
			_, _ = r.Discard(r.Buffered()) // what cannot fail: it is there; units fall back into step at the next silence
			continue
		}
		if _, err := w.Write(reply); err != nil {
			return err
		}
	}
}
