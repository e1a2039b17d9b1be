package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// wire is one connection that speaks the protocol and nothing more: what it costs is the broker's, not a client's.
type wire struct {
	conn        net.Conn
	reader      *bufio.Reader
	formatter   *kmsg.RequestFormatter
	correlation int32
}

func dial(address string) (*wire, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, reader: bufio.NewReader(conn), formatter: kmsg.NewRequestFormatter(kmsg.FormatterClientID("loadgen"))}, nil
}

func (w *wire) send(request kmsg.Request, version int16) error {
	request.SetVersion(version)
	w.correlation++
	_, err := w.conn.Write(w.formatter.AppendRequest(nil, request, w.correlation))
	return err
}

func (w *wire) receive(request kmsg.Request) (kmsg.Response, error) {
	var head [8]byte
	if _, err := io.ReadFull(w.reader, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:4])-4)
	if _, err := io.ReadFull(w.reader, body); err != nil {
		return nil, err
	}
	// The tags of a flexible header: there are none in answers so far.
	if request.IsFlexible() {
		if body[0] != 0 {
			return nil, errors.New("an answer whose header has tags")
		}
		body = body[1:]
	}
	response := request.ResponseKind()
	return response, response.ReadFrom(body)
}

// call sends a request and waits for its answer.
func call[Response kmsg.Response](w *wire, request kmsg.Request, version int16) (Response, error) {
	var none Response
	if err := w.send(request, version); err != nil {
		return none, err
	}
	response, err := w.receive(request)
	if err != nil {
		return none, err
	}
	typed, is := response.(Response)
	if !is {
		return none, fmt.Errorf("an answer of another kind: %T", response)
	}
	return typed, nil
}
