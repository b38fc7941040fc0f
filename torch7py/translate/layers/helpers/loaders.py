"""The loaders of the dataload package: of tensors, of sequences, and of data sets."""

from __future__ import annotations

from torch7py.translate.layers.helpers.register import helper

helper(
    "data_folder",
    '''
def data_folder(kind):
    """The folder of data sets ("data") or of what is saved ("save"), which the environment may name."""
    home = os.environ.get("TORCH_DATA_PATH") or os.path.expanduser("~")
    folder = os.environ.get(f"DEEP_{kind.upper()}_PATH") or os.path.join(home, kind)
    os.makedirs(folder, exist_ok=True)
    return folder
''',
)

helper(
    "unique_id",
    '''
def unique_id(namespace=None, separator=":"):
    """A name of its own: that of the machine, the time, and a number."""
    unique_id.given = getattr(unique_id, "given", 0) + 1
    return f"{namespace or socket.gethostname()}{separator}{int(time.time())}{separator}{unique_id.given}"
''',
)

helper(
    "show_table",
    '''
def show_table(table):
    """An entry a line, in the order of their texts, as Lua would write them."""

    def show(value):
        if isinstance(value, list):
            return "{" + ",".join(show(item) for item in value) + "}"
        if isinstance(value, dict):
            return "{" + ",".join(f"{name(key)}={show(item)}" for key, item in value.items()) + "}"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str) and '"' in value and "'" not in value:
            return "'" + value.replace("\\n", "\\\\n") + "'"
        if isinstance(value, str):
            return '"' + value.replace("\\n", "\\\\n").replace('"', '\\\\"') + '"'
        return f"{value:.14g}" if isinstance(value, float) else str(value)

    def name(key):
        return key if isinstance(key, str) and key.isidentifier() else f"[{show(key)}]"

    entries = vars(table) if isinstance(table, argparse.Namespace) else table
    if isinstance(entries, list):
        lines = [show(value) for value in entries]
    else:
        lines = [f"{name(key)} : {show(value)}" for key, value in entries.items() if value is not None]
    print("{\\n   " + "\\n   ".join(sorted(lines)) + "\\n}")
''',
)

helper(
    "Loader",
    '''
class Loader:
    """What gives batches of inputs and targets."""

    start = 0  # where the next batch in order begins

    def reset(self):
        self.start = 0

    def subiter(self, batch_size=32, epoch_size=-1):
        """Batches in order, from where the last one stopped and around; with each, how many examples there were."""
        size, seen = len(self), 0
        total = epoch_size if epoch_size > 0 else size
        while seen < total:
            first = self.start
            last = min(first + min(batch_size, total - seen), size)
            seen += last - first
            batch = self.sub(first, last)
            self.start = last % size
            yield seen, *batch
''',
)

helper(
    "TensorLoader",
    '''
class TensorLoader(Loader):
    """Inputs and targets, an example a row; batches are copies of rows."""

    def __init__(self, inputs, targets):
        assert len(inputs) == len(targets)
        self.inputs, self.targets = inputs, targets

    def __len__(self):
        return len(self.inputs)

    def sub(self, first, last):
        return self.inputs[first:last].clone(), self.targets[first:last].clone()

    def index(self, places):
        return self.inputs[places], self.targets[places]

    def sample(self, count):
        return self.index(torch.empty(count, dtype=torch.int64).random_(1, len(self) + 1) - 1)

    def sampleiter(self, batch_size=32, epoch_size=-1):
        """Batches of examples drawn at random; with each, how many there were."""
        total = epoch_size if epoch_size > 0 else len(self)
        for seen in range(0, total, batch_size):
            count = min(batch_size, total - seen)
            yield seen + count, *self.sample(count)

    def shuffle(self):
        self.inputs, self.targets = self.index(torch.randperm(len(self)))

    def split(self, ratio):
        """Two loaders on the same memory: of the first examples, and of the others."""
        first = int(len(self) * ratio)
        parts = slice(0, first), slice(first, None)
        return tuple(TensorLoader(self.inputs[part], self.targets[part]) for part in parts)
''',
)

helper(
    "SequenceLoader",
    '''
class SequenceLoader(Loader):
    """A long sequence in pieces, side by side as columns; the target of a step is the next one's input."""

    def __init__(self, sequence, batch_size, bidirectional=False):
        steps = len(sequence) // batch_size
        self.batchsize, self.shift = batch_size, 0 if bidirectional else 1
        self.data = sequence[: steps * batch_size].view(batch_size, steps).t().contiguous()

    def __len__(self):
        return len(self.data) - self.shift

    def sub(self, first, last):
        assert last <= len(self)
        return self.data[first:last], self.data[first + self.shift : last + self.shift]
''',
)

helper(
    "MultiSequence",
    '''
class MultiSequence(Loader):
    """Sequences one after the other in columns, before each a step of zeros (its target is 1, in rows 0)."""

    def __init__(self, sequences, batch_size):
        self.sequences, self.batchsize = sequences, batch_size
        self.steps = -(-sum(map(len, sequences)) // batch_size)
        self.reset()

    def reset(self):
        self.start, self.next = 0, 0
        self.places = [(None, 0)] * self.batchsize  # of each column, its sequence and the step within it

    def __len__(self):
        return self.steps

    def sub(self, first, last):
        like = self.sequences[0]
        inputs = like.new_zeros(last - first, self.batchsize, *like.shape[1:])
        targets = torch.zeros_like(inputs)
        for column, place in enumerate(self.places):
            self.places[column] = self.fill(inputs[:, column], targets[:, column], *place)
        return inputs, targets

    def fill(self, inputs, targets, sequence, place):
        step, steps = 0, len(inputs)
        while step < steps:
            if sequence is None:
                sequence, place = self.sequences[self.next], 0
                self.next = (self.next + 1) % len(self.sequences)
                targets[step] = 1 if targets.dim() == 1 else 0
                step += 1
            count = min(steps - step, len(sequence) - 1 - place)
            inputs[step : step + count] = sequence[place : place + count]
            targets[step : step + count] = sequence[place + 1 : place + 1 + count]
            step, place = step + count, place + count
            if place == len(sequence) - 1:
                sequence = None
        return sequence, place
''',
)

helper(
    "build_vocabulary",
    '''
def build_vocabulary(words, least=-1):
    """Numbers of words, in their order from 1, words of numbers, and how often each is there.

    Words seen less often than ``least`` have one number together, as <OOV>.
    """
    counts = dict(collections.Counter(words))
    ivocab = [word for word in sorted(counts) if counts[word] >= least]
    rare = sum(count for count in counts.values() if count < least)
    if rare:
        ivocab.append("<OOV>")
        counts["<OOV>"] = rare
    return {word: number for number, word in enumerate(ivocab, 1)}, ivocab, counts
''',
)

helper(
    "numbers_of",
    '''
def numbers_of(words, vocab):
    """The numbers of words; those that have none are <OOV>."""
    return torch.tensor([vocab[word if word in vocab else "<OOV>"] for word in words], dtype=torch.int32)
''',
)

helper(
    "load_ptb",
    '''
def load_ptb(batch_sizes, folder=None):
    """The words of ptb.{train,valid,test}.txt, each set in columns; a line ends with the word <eos>."""
    folder = folder or os.path.join(data_folder("data"), "PennTreeBank")
    sizes = batch_sizes if isinstance(batch_sizes, list) else [batch_sizes] * 3
    loaders, known = [], None
    for name, size in zip(("train", "valid", "test"), sizes):
        with open(os.path.join(folder, f"ptb.{name}.txt"), "rb") as file:
            words = [word.decode() for word in file.read().replace(b"\\n", b"<eos>").split()]
        known = known or build_vocabulary(words)
        loader = SequenceLoader(numbers_of(words, known[0]), size)
        loader.vocab, loader.ivocab, loader.wordfreq = known
        loaders.append(loader)
    return loaders
''',
)

helper(
    "load_sentences",
    '''
def load_sentences(path, verbose=True):
    """A matrix of where each word's sentence starts, and the word, as sentences with <S> before each."""
    cache = path.replace("th7", "cache.t7")
    if os.path.isfile(cache):
        if verbose:
            print(f"loading cached {cache}")
        return torch.load(cache)
    if verbose:
        print(f"loading {path}")
    starts, words = torch.load(path).long().unbind(1)
    if verbose:
        print("Formatting raw tensor into table of sequences")
    firsts = 1 + (starts[1:] != starts[:-1]).nonzero().flatten()
    firsts = firsts[firsts < len(words) - 1]  # one word is no sentence
    sentences = [torch.cat([words.new_tensor([793470]), part]) for part in words.tensor_split(firsts)]
    assert all(sentence[-1] == 793471 for sentence in sentences)  # </S>
    if verbose:
        print(f"saving cache {cache}")
    torch.save(sentences, cache)
    return sentences
''',
)

helper(
    "load_billion_words",
    '''
def load_billion_words(batch_sizes, train_file=None, folder=None, verbose=True):
    """Google's billion words, a sentence after the other in columns."""
    folder = folder or os.path.join(data_folder("data"), "BillionWords")
    sizes = batch_sizes if isinstance(batch_sizes, list) else [batch_sizes] * 3
    ivocab, wordfreq = (torch.load(os.path.join(folder, f"word_{name}.th7")) for name in ("map", "freq"))
    vocab = {word: number for number, word in enumerate(ivocab, 1)}
    loaders = []
    for name, size in zip((train_file or "train_data.th7", "valid_data.th7", "test_data.th7"), sizes):
        loader = MultiSequence(load_sentences(os.path.join(folder, name), verbose), size)
        loader.vocab, loader.ivocab, loader.wordfreq = vocab, ivocab, wordfreq
        loaders.append(loader)
    return loaders
''',
)

helper(
    "read_messages",
    '''
def read_messages(path, vocab, length, least=None):
    """Messages of a file of six fields as rows of words, zeros before them, and their classes: 1 negative, 2 positive.

    Without a vocabulary one is made of the words that are there ``least`` times or more. Neutral messages are left out.
    """
    with open(path, "rb") as file:
        fields = [re.findall(rb'[^",]+', line) for line in file]
    messages = [([word.decode() for word in line[5].split()], int(line[0])) for line in fields]
    ivocab = unigram = None
    if vocab is None:
        counts = collections.Counter(word for words, _ in messages for word in words)
        ivocab = ["<OOV>", *(word for word in sorted(counts) if counts[word] >= least)]
        vocab = {word: number for number, word in enumerate(ivocab, 1)}
        counts["<OOV>"] = sum(count for count in counts.values() if count < least) or counts["<OOV>"]
        unigram = torch.tensor([counts[word] for word in ivocab])
    messages = [(words, polarity) for words, polarity in messages if polarity != 2]
    inputs = torch.zeros(len(messages), length, dtype=torch.int64)
    for row, (words, _) in zip(inputs, messages):
        numbers = torch.tensor([vocab.get(word, 1) for word in words[:length]], dtype=torch.int64)
        row[max(0, length - len(words)) :][: len(numbers)] = numbers
    targets = torch.tensor([{0: 1, 4: 2}[polarity] for _, polarity in messages])
    return {"inputs": inputs, "targets": targets, "vocab": vocab, "ivocab": ivocab, "unigram": unigram}
''',
)

helper(
    "load_sentiment140",
    '''
def load_sentiment140(folder=None, least=3, length=50, valid_ratio=1 / 8, progress=True):
    """Messages with a class, to train, to validate and to test with; kept in a file for the next time."""
    folder = folder or os.path.join(data_folder("data"), "Twitter")
    cache = os.path.join(folder, f"cache_{least}_{length}.t7")
    if os.path.isfile(cache):
        train, test = torch.load(cache)
    else:
        if progress:
            print("Load & processing training data.")
        start = time.perf_counter()
        train = read_messages(
            os.path.join(folder, "traintokens.1600000.processed.noemoticon.csv"), None, length, least
        )
        if progress:
            print(f"Number of tweets: {len(train['inputs'])}")
            print(f"Vocabulary size: {len(train['ivocab'])}")
            print(f"Number of occurences replaced with <OOV> token: {train['unigram'][0]}")
            print(f"Tweet corpus size (in number of tokens): {train['unigram'].sum()}")
        order = torch.randperm(len(train["inputs"]))
        train["inputs"], train["targets"] = train["inputs"][order], train["targets"][order]
        print(f"trainset set processed in {time.perf_counter() - start:.14g}s")
        test = read_messages(os.path.join(folder, "testtokens.manual.2009.06.14.csv"), train["vocab"], length)
        test.update(ivocab=train["ivocab"], unigram=train["unigram"])
        torch.save([train, test], cache)
    loaders = [
        *TensorLoader(train["inputs"], train["targets"]).split(1 - valid_ratio),
        TensorLoader(test["inputs"], test["targets"]),
    ]
    for loader in loaders:
        loader.vocab, loader.ivocab, loader.unigram = test["vocab"], test["ivocab"], test["unigram"]
    return loaders
''',
)

helper(
    "load_mnist",
    '''
def load_mnist(folder=None, valid_ratio=1 / 6, scale=(0, 1)):
    """MNIST's images, scaled, and their classes from 1, to train, to validate and to test with."""
    folder = folder or os.path.join(data_folder("data"), "mnist")
    loaders = []
    for name in ("train", "test"):
        inputs, targets = torch.load(os.path.join(folder, f"{name}.th7"))
        if scale:
            low, high = inputs.min().item(), inputs.max().item()
            inputs = (inputs - low) * (scale[1] - scale[0]) * (1 / (high - low)) + scale[0]
        loader = TensorLoader(inputs.reshape(-1, 1, 28, 28), targets + 1)
        loaders += loader.split(1 - valid_ratio) if name == "train" else [loader]
    loaders[-1].classes = list(range(10))
    return loaders
''',
)
