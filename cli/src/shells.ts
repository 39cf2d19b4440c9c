/** What shells complete: scripts written from the tree of commands, so that none of them is missing. */
import type { Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Word {
  word: string;
  about: string;
}

interface Place {
  /** The words that lead here, each behind a space: ' batch list'. */
  at: string;
  commands: Word[];
  options: (Word & { value: boolean })[];
  /** The command whose first column says what the first argument may be; '' where nothing does. */
  ids: string;
}

/** Arguments that mean what the `list` beside their command shows. */
const listed = new Set(['id', 'ids', 'model', 'name', 'route']);

const idsOf = ({ registeredArguments: [first], parent }: Command): string => {
  if (first?.name() === 'batch') return 'batch list';
  return first && parent && listed.has(first.name()) && parent.commands.some((beside) => beside.name() === 'list')
    ? `${parent.name()} list`
    : '';
};

const placesOf = (command: Command, at = ''): Place[] => [
  {
    at,
    commands: command.commands.map((each) => ({ word: each.name(), about: each.description() })),
    options: command.options.flatMap(({ long, description, required }) =>
      long ? [{ word: long, about: description, value: required }] : [],
    ),
    ids: idsOf(command),
  },
  ...command.commands.flatMap((each) => placesOf(each, `${at} ${each.name()}`)),
];

/** As all three shells take it. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const joined = (words: readonly Word[]): string => quoted(words.map(({ word }) => word).join(' '));

const paths = (places: readonly Place[], between: string): string =>
  places
    .slice(1)
    .map(({ at }) => quoted(at))
    .join(between);

const bash = (places: readonly Place[]): string => `# sluice, for bash: source <(sluice completion bash)
_sluice() {
  local cur=\${COMP_WORDS[COMP_CWORD]} at= more=0 word commands= options= ids=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
      ${paths(places, '|')}) at="$at $word" more=0 ;;
      *) more=1 ;;
    esac
  done
  case "$at" in
${places
  .map(
    ({ at, commands, options, ids }) => `    ${quoted(at)}) commands=${joined(commands)} options=${joined(options)} ids=${quoted(ids)} ;;`,
  )
  .join('\n')}
  esac
  if [[ $cur == -* ]]; then commands=$options
  elif [[ -n $ids && $more == 0 ]]; then commands=$(sluice $ids 2>/dev/null | cut -f1)
  fi
  COMPREPLY=($(compgen -W "$commands" -- "$cur"))
}
complete -o default -F _sluice sluice
`;

const described = (words: readonly Word[]): string => words.map(({ word, about }) => quoted(`${word}:${about}`)).join(' ');

const zsh = (places: readonly Place[]): string => `#compdef sluice
# sluice, for zsh: source <(sluice completion zsh), or as a file _sluice in a folder of $fpath
_sluice() {
  local at= ids= word
  local -i more=0
  local -a commands options
  for word in \${words[2,CURRENT-1]}; do
    case "$at $word" in
      (${paths(places, '|')}) at="$at $word" more=0 ;;
      (*) more=1 ;;
    esac
  done
  case "$at" in
${places
  .map(
    ({ at, commands, options, ids }) =>
      `    (${quoted(at)}) commands=(${described(commands)}) options=(${described(options)}) ids=${quoted(ids)} ;;`,
  )
  .join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then _describe -o option options
  elif (( $#commands )); then _describe command commands
  elif [[ -n $ids ]] && (( ! more )); then
    commands=(\${(f)"$(sluice \${=ids} 2>/dev/null | cut -f1)"})
    compadd -a commands
  else _files
  fi
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`;

const fish = (places: readonly Place[]): string => `# sluice, for fish: sluice completion fish | source
function __sluice_at
  set -l at ''
  set -l words (commandline -opc)
  for word in $words[2..]
    switch "$at $word"
      case ${paths(places, ' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${places
  .flatMap(({ at, commands, options, ids }) => {
    const here = `complete -c sluice -n ${quoted(`__sluice_at "${at}"`)}`;
    return [
      ...commands.map(({ word, about }) => `${here} -f -a ${word} -d ${quoted(about)}`),
      ...options.map(({ word, about, value }) => `${here} -l ${word.slice(2)}${value ? ' -r' : ''} -d ${quoted(about)}`),
      ...(ids === '' ? [] : [`${here} -f -a ${quoted(`(sluice ${ids} 2>/dev/null | cut -f1)`)}`]),
    ];
  })
  .join('\n')}
`;

/** The script by which a shell completes all commands below `root`. */
export const completion = (root: Command, shell: Shell): string => ({ bash, zsh, fish })[shell](placesOf(root));
