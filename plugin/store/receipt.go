package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of receipts.
const (
	// MaxReceiptID bounds the id of a receipt in bytes.
	MaxReceiptID = 512
	// ReceiptShards spread receipts, so that no list of them grows long.
	ReceiptShards = 256
	maxReceipt    = 4 << 10
)

// ErrCarriedOut says that a request was carried out before: its receipt is
// there.
var ErrCarriedOut = errors.New("carried out before")

// Receipt proves that a request of somebody's was carried out. It is committed
// together with what was asked for, so that a request that comes again does
// nothing again, wherever and whenever it comes, until SweepReceipts removes
// the receipt.
type Receipt struct {
	// ID is chosen by who asks; unique among all who do.
	ID string `json:"id"`
	// Digest of what was asked: the same id for something else is a mistake.
	Digest string `json:"digest"`
	// Task and UID are what the request was about, FireID the firing that it
	// asked for, if it did.
	Task   task.Key    `json:"task"`
	UID    string      `json:"uid"`
	FireID task.FireID `json:"fire_id,omitempty"`
	// At is when it was carried out, by the store's clock.
	At time.Time `json:"-"`
}

type receiptRecord struct {
	Format int `json:"format"`
	Receipt
}

// Receipt reads the receipt of an id. Errors: coordclient.ErrNotFound (it was
// not carried out, or too long ago), ErrUnavailable, *CorruptError.
func (s *Store) Receipt(ctx context.Context, id string) (Receipt, error) {
	e, err := s.peek(ctx, s.keys.receipt(id))
	if err != nil {
		return Receipt{}, err
	}
	var r receiptRecord
	if err := decode(e.Value, maxReceipt, &r, &r.Format); err != nil {
		return Receipt{}, &CorruptError{e.Key, err}
	}
	if r.ID != id {
		return Receipt{}, &CorruptError{e.Key, fmt.Errorf("it says that it is of %q", r.ID)}
	}
	r.At = e.Modified
	return r.Receipt, nil
}

// CreateOnce is Create with a receipt, whose task and uid it fills in. Errors:
// those of Create, ErrCarriedOut.
func (s *Store) CreateOnce(ctx context.Context, info task.Info, r Receipt) (task.Info, error) {
	return s.createTask(ctx, info, &r)
}

// AskOnce is Ask with a receipt, whose task, uid and fire id it fills in.
// Errors: those of Ask, ErrCarriedOut.
func (s *Store) AskOnce(ctx context.Context, request task.Request, r Receipt) (task.Request, error) {
	request.ID = s.newID()
	return s.request(ctx, request, &r)
}

// receiptOp is the operation that keeps r; nothing if there is none.
func (s *Store) receiptOp(r *Receipt) ([]coordclient.Op, error) {
	if r == nil {
		return nil, nil
	}
	if r.ID == "" || len(r.ID) > MaxReceiptID {
		return nil, fmt.Errorf("receipt id of %d bytes: use 1 to %d: %w", len(r.ID), MaxReceiptID, coordclient.ErrTooLarge)
	}
	value, err := encode(receiptRecord{Format, *r}, maxReceipt)
	if err != nil {
		return nil, err
	}
	return []coordclient.Op{coordclient.Create(s.keys.receipt(r.ID), value)}, nil
}

// receipted tells a commit that failed because the receipt is there from one
// that failed at anything else.
func (s *Store) receipted(r *Receipt, err error) error {
	var failed *coordclient.CommitError
	if r != nil && errors.As(err, &failed) && failed.Op.Key == s.keys.receipt(r.ID) && errors.Is(err, coordclient.ErrExists) {
		return fmt.Errorf("%w: %s", ErrCarriedOut, r.ID)
	}
	return err
}

// SweepReceipts removes the receipts of one shard, of ReceiptShards, that were
// written before a time, and tells how many. Any number of hosts may sweep at
// once. Error: coordclient.ErrUnavailable.
func (s *Store) SweepReceipts(ctx context.Context, shard int, before time.Time) (int, error) {
	prefix := s.keys.receipts(shard)
	segments, err := s.kv.List(ctx, prefix)
	if err != nil {
		return 0, fmt.Errorf("sweep receipts: %w", err)
	}
	swept := 0
	for _, segment := range segments {
		e, err := s.peek(ctx, prefix+"/"+segment)
		switch {
		case errors.Is(err, coordclient.ErrNotFound):
			continue
		case err != nil:
			return swept, fmt.Errorf("sweep receipts: %w", err)
		case !e.Modified.Before(before):
			continue
		}
		err = s.kv.Commit(ctx, coordclient.Delete(e.Key, e.Version))
		switch {
		case err == nil:
			swept++
		case errors.Is(err, coordclient.ErrNotFound), errors.Is(err, coordclient.ErrConflict):
		default:
			return swept, fmt.Errorf("sweep receipts: %w", err)
		}
	}
	return swept, nil
}

func (k keys) receipts(shard int) string { return fmt.Sprintf("%s/receipts/%02x", string(k), shard) }

func (k keys) receipt(id string) string {
	sum := sha256.Sum256([]byte(id))
	digest := hex.EncodeToString(sum[:])
	return strings.Join([]string{k.receipts(int(sum[0])), digest}, "/")
}
