# ruff: noqa: RUF001 - wide characters are what some of these are about
"""Programs that raise, by what is particular about them. Each defines `run`.

What it raises has to be formatted natively unless `native` says otherwise: `False`, or a function that
tells by the version of Python.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    source: str
    native: bool | Callable[[], bool] = True
    since: tuple[int, int] = (3, 10)

    def is_native(self) -> bool:
        return self.native() if callable(self.native) else self.native


def _before_3_11() -> bool:
    return sys.version_info < (3, 11)


PROGRAMS: dict[str, Program] = {
    "one frame": Program("def run():\n    raise ValueError('text')\n"),
    "no text": Program("def run():\n    raise ValueError\n"),
    "an empty text": Program("def run():\n    raise ValueError('')\n"),
    "deep": Program("""
        def down(n):
            if n == 0:
                return {}['missing']
            return up(n - 1) + 1
        def up(n):
            return [down(n)][0]
        def run():
            return down(50)
    """),
    "direct recursion": Program("""
        def down(n):
            return down(n - 1) if n else 1 / 0
        def run():
            down(30)
    """),
    "recursion of exactly three and four": Program("""
        def down(n):
            return down(n - 1) if n else 1 / 0
        def run():
            try:
                down(3)
            except ZeroDivisionError:
                down(4)
    """),
    "one more": Program("""
        def down(n):
            if n:
                return down(n - 1)
            raise KeyError('end')
        def run():
            try:
                down(4)
            except KeyError:
                down(5)
    """),
    "recursion without end": Program("""
        def run(n=0):
            return run(n + 1)
    """),
    "mutual recursion": Program("""
        def ping(n):
            return pong(n - 1)
        def pong(n):
            return ping(n - 1) if n > 0 else 1 / 0
        def run():
            ping(20)
    """),
    "the same line by two functions of one name": Program("""
        def run():
            def f(n): return 1 / 0 if n == 0 else g(n - 1)
            first = f
            def f(n): return 1 / 0 if n == 0 else first(n - 1)
            g = f
            g(12)
    """),
    "generators": Program("""
        def numbers():
            yield 1
            yield from more()
        def more():
            yield 2
            raise LookupError('in a generator')
        def run():
            return sum(n for n in numbers())
    """),
    "a generator that is thrown into": Program("""
        def waiting():
            try:
                yield
            except ValueError as error:
                raise KeyError('instead') from error
        def run():
            one = waiting()
            next(one)
            one.throw(ValueError('thrown'))
    """),
    "async": Program("""
        import asyncio
        async def inner():
            await asyncio.sleep(0)
            raise OSError(2, 'No such file', 'name')
        async def outer():
            async with Manager():
                return await inner()
        class Manager:
            async def __aenter__(self): return self
            async def __aexit__(self, *a): return False
        def run():
            asyncio.run(outer())
    """),
    "asyncio gather and timeout": Program("""
        import asyncio
        async def never():
            await asyncio.sleep(100)
        async def main():
            await asyncio.wait_for(asyncio.gather(never(), never()), 0.001)
        def run():
            asyncio.run(main())
    """),
    "lambdas and comprehensions": Program("""
        def run():
            f = lambda x: [y / x for y in range(3)]
            return {k: [f(v) for v in [k]] for k in (1, 0)}
    """),
    "a class body and a decorator": Program("""
        def decorate(function):
            def inside(*arguments):
                return function(*arguments)
            return inside
        @decorate
        @decorate
        def decorated(x):
            class Body:
                value = x / 0
        def run():
            decorated(1)
    """),
    "exec and eval": Program("""
        def run():
            names = {}
            exec('def inside():\\n    return eval("1 / 0")\\n', names)
            names['inside']()
    """),
    "exec under the name of a file": Program("""
        def run():
            exec(compile('\\n\\n\\nraise ValueError(1)', __file__, 'exec'))
    """),
    "no source": Program("""
        def run():
            exec(compile('raise ValueError(1)', '/nowhere/at/all.py', 'exec'), {})
    """),
    "no source and a relative name": Program("""
        def run():
            exec(compile('raise ValueError(1)', 'nowhere.py', 'exec'), {'__name__': 'x'})
    """),
    "a name in brackets": Program("""
        def run():
            exec(compile('raise ValueError(1)', '<template>', 'exec'), {'__name__': 'x'})
    """),
    "a prompt's name": Program("""
        def run():
            exec(compile('raise ValueError(1)', '<stdin>-7', 'exec'), {'__name__': 'x'})
    """),
    "a name with quotes and newlines": Program("""
        def run():
            exec(compile('raise ValueError(1)', 'a"b\\nc, line 7, in x', 'exec'), {})
    """),
    "a name with a lone surrogate": Program(
        """
        def run():
            exec(compile('raise ValueError(1)', 'a\\udc80.py', 'exec'), {})
    """,
        native=False,
    ),
    "a line number beyond the file": Program("""
        def run():
            exec(compile('\\n' * 5000 + 'raise ValueError(1)', __file__, 'exec'))
    """),
    "a call over several lines": Program("""
        def f(**names):
            raise ValueError(names)
        def run():
            value = f(
                first=1,

                second=[
                    2,
                    3,
                ],
            )
    """),
    "an operator over several lines": Program("""
        def run():
            a, b = 1, 'x'
            return (a
                    # a comment
                    +
                    b)
    """),
    "long spans": Program("""
        def run():
            return [
                1,
                2,
                3,
                4,
                5,
                6, 7][
                    'eight'
                ]
    """),
    "backslashes and semicolons": Program("""
        def run():
            a = 1; b = 0; c = a / \\
                b; d = 2
    """),
    "carets of every kind": Program("""
        class Thing:
            def __getitem__(self, key):
                return key[0](key[1])
            def __add__(self, other):
                return self[other]
            def method(self, *arguments):
                return self + arguments
        def run():
            thing = Thing()
            return (thing  .  method(  thing.method, int  )) [  'x'  ]
    """),
    "chained subscripts and arithmetic": Program("""
        def run():
            x = {'a': {'b': None}}
            return x['a'] ['b'] [ 'c' ] + 1 * 2 // 3
    """),
    "wide and combining characters": Program("""
        def run():
            変数, é, ñ = {'鍵': 0}, 'e\u0301', 0
            return ('全角' + é) and (変数['鍵'] + 1) / 変数['鍵'] and ñ
    """),
    "wide characters before and behind": Program("""
        def f(x): raise ValueError('値')
        def run():
            return '🐍🐍', f('🐍') + '𝒳', 'ａｂｃ'
    """),
    "names beyond ASCII": Program("""
        class Größe(Exception):
            pass
        def läuft():
            raise Größe('größer 🐍')
        def run():
            läuft()
    """),
    "tabs": Program("def run():\n\tif True:\n\t\treturn\t(1\t/\t0)\n"),
    "tabs in the middle": Program("def run():\n    x\t=\t[1]\t[\t2\t]\n"),
    "form feeds and other blanks": Program("def run():\n    x = \x0c1 / 0 # \x0b\x1c\u2028 end\n"),
    "carriage returns": Program("def run():\r\n    x = 1 / 0\r\n"),
    "no newline at the end": Program("def run(): x = 1 / 0"),
    "another encoding": Program("# -*- coding: utf-8 -*-\ndef run():\n    'ü'; 1 / 0\n"),
    "a very long line": Program(f"def run():\n    return 1 / 0  # {'x' * 6000}\n"),
    "raise from": Program("""
        def run():
            try:
                1 / 0
            except ZeroDivisionError as error:
                raise ValueError('outer') from error
    """),
    "while handling": Program("""
        def run():
            try:
                try:
                    1 / 0
                finally:
                    {}['x']
            except KeyError:
                int('x')
    """),
    "from None": Program("""
        def run():
            try:
                1 / 0
            except ZeroDivisionError:
                raise ValueError('alone') from None
    """),
    "a cause and contexts mixed": Program("""
        def fail(n):
            if n == 0:
                raise LookupError(n)
            try:
                fail(n - 1)
            except LookupError as error:
                if n % 3 == 0:
                    raise LookupError(n) from error
                if n % 3 == 1:
                    raise LookupError(n)
                raise LookupError(n) from KeyError('another')
        def run():
            fail(7)
    """),
    "a cycle of causes": Program("""
        def run():
            a, b, c = ValueError('a'), ValueError('b'), ValueError('c')
            a.__cause__, b.__cause__, c.__cause__ = b, c, a
            raise a
    """),
    "a cycle of contexts": Program("""
        def run():
            a, b = ValueError('a'), ValueError('b')
            a.__context__, b.__context__ = b, a
            a.__traceback__ = None
            raise b
    """),
    "its own cause": Program("""
        def run():
            a = ValueError('a')
            a.__cause__ = a
            a.__suppress_context__ = False
            a.__context__ = KeyError('shown, as the cause was seen')
            raise a
    """),
    "a suppressed context that a cause leads back to": Program("""
        def run():
            a, b = ValueError('a'), KeyError('b')
            a.__cause__, b.__cause__ = b, a
            b.__context__ = LookupError('hidden')
            raise a
    """),
    "a cause that was never raised": Program("""
        def run():
            raise ValueError from KeyError('fresh')
    """),
    "a group": Program(
        """
        def run():
            raise ExceptionGroup('several', [ValueError(1), KeyError('two')])
    """,
        native=False,
        since=(3, 11),
    ),
    "groups in groups, wide and deep": Program(
        """
        def deep(n):
            return ExceptionGroup(f'at {n}', [deep(n - 1), OSError(n)]) if n else ValueError('end')
        def run():
            try:
                raise deep(14)
            except Exception as error:
                raise ExceptionGroup('wide', [ValueError(n) for n in range(40)]) from error
    """,
        native=False,
        since=(3, 11),
    ),
    "a group as a context": Program(
        """
        def run():
            try:
                raise BaseExceptionGroup('several', [KeyboardInterrupt(), ValueError(1)])
            except BaseException:
                1 / 0
    """,
        native=False,
        since=(3, 11),
    ),
    "notes": Program(
        """
        def run():
            error = ValueError('text')
            error.add_note('a note')
            error.add_note('')
            error.add_note('of two\\nlines\\n')
            error.another = 'attribute'
            raise error
    """,
        since=(3, 11),
    ),
    "attributes of its own": Program("""
        def run():
            error = ValueError('text')
            error.code = 7
            raise error
    """),
    "notes that are none, empty and a list of none": Program("""
        def run():
            first, second, third = ValueError(1), ValueError(2), ValueError(3)
            first.__notes__ = None
            second.__notes__ = []
            third.another = first.another = 1
            third.__cause__, second.__cause__ = second, first
            raise third
    """),
    "notes of an odd type": Program(
        """
        def run():
            error = ValueError('text')
            error.__notes__ = {'a': 'mapping'}
            raise error
    """,
        native=_before_3_11,
    ),
    "notes in a tuple": Program(
        """
        def run():
            error = ValueError('text')
            error.__notes__ = ('one', 2, None)
            raise error
    """,
        native=_before_3_11,
    ),
    "notes that are a text": Program(
        """
        def run():
            error = ValueError('text')
            error.__notes__ = 'abc'
            raise error
    """,
        native=_before_3_11,
    ),
    "notes of other things": Program(
        """
        class Note:
            def __str__(self): raise ValueError
        def run():
            error = ValueError('text')
            error.__notes__ = ['one', 2, Note()]
            raise error
    """,
        native=_before_3_11,
    ),
    "a syntax error": Program("def run():\n    compile('a = (1,\\nb c', 'file.py', 'exec')\n"),
    "a syntax error in an import": Program("""
        import importlib.util, pathlib
        def run():
            path = pathlib.Path(__file__).with_name('broken_module.py')
            path.write_text('def f():\\n\\tx = = 1\\n')
            spec = importlib.util.spec_from_file_location('broken_module', path)
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
    """),
    "an indentation error": Program("def run():\n    exec('if True:\\nx')\n"),
    "a syntax error with all fields": Program("""
        def run():
            raise SyntaxError('all', ('name.py', 7, 9, '   \\tfoo bar\\n', 7, 12))
    """),
    "a syntax error with no fields": Program("def run():\n    raise SyntaxError\n"),
    "a syntax error with a name only": Program("""
        def run():
            error = SyntaxError('text')
            error.filename = 'name.py'
            raise error
    """),
    "a syntax error that was caused, with notes": Program("""
        class Own(SyntaxError):
            pass
        def run():
            error = Own('text', ('f', 1, 1, 'x', 1, 2))
            error.__notes__ = ['noted']
            raise error from KeyError(1)
    """),
    "a name error": Program("def run():\n    resultt = 1\n    return result\n"),
    "a name error for a module": Program("def run():\n    return json.dumps(1)\n"),
    "a name error for an attribute": Program("""
        class Thing:
            size = 1
            def method(self): return size
        def run():
            Thing().method()
    """),
    "a name error by hand": Program("def run():\n    raise NameError('text', name='prnt')\n"),
    "an attribute error": Program("def run():\n    return 'x'.splt()\n"),
    "an attribute error by hand": Program("def run():\n    raise AttributeError('plain')\n"),
    "an attribute error of a hostile object": Program("""
        class Hostile:
            def __dir__(self): raise KeyError
        def run():
            Hostile().nothing
    """),
    "an import error": Program("def run():\n    from collections import namedtupl\n"),
    "a module that is not there": Program("def run():\n    import not_there_at_all.sub\n"),
    "a suggestion below a cause": Program("""
        def run():
            try:
                'x'.splt()
            except AttributeError as error:
                raise RuntimeError('outer') from error
    """),
    "a key error of a key with a newline": Program("def run():\n    {}['a\\nb']\n"),
    "errors of the system": Program("""
        def run():
            try:
                open('/nowhere/at/all')
            except OSError:
                raise OSError(5, 'text', 'a', None, 'b')
    """),
    "errors of texts": Program("""
        def run():
            try:
                b'\\xff'.decode()
            except UnicodeDecodeError:
                '\\ud800'.encode()
    """),
    "several arguments": Program("def run():\n    raise ValueError(1, 'two', [3])\n"),
    "a text of several lines": Program("def run():\n    raise ValueError('a\\nb\\r\\nc\\n\\n')\n"),
    "a text with nul and control characters": Program(
        "def run():\n    raise ValueError('a\\0b\\x1b[31m\\x85\\u2028')\n"
    ),
    "a text with a lone surrogate": Program(
        "def run():\n    raise ValueError('a\\ud800b')\n", native=False
    ),
    "a text of a class of its own": Program(
        """
        class Text(str):
            def __format__(self, spec): return 'formatted'
            def __str__(self): return self
        class Own(Exception):
            def __str__(self): return Text('text')
        def run():
            raise Own
    """,
        native=False,
    ),
    "an argument of a class of its own": Program("""
        class Text(str):
            def __str__(self): return 'its str'
        def run():
            raise ValueError(Text('text'))
    """),
    "a str that raises": Program("""
        class Own(Exception):
            def __str__(self): raise KeyError(self)
        def run():
            raise Own from Own()
    """),
    "a str that is none": Program("""
        class Own(Exception):
            def __str__(self): return None
        def run():
            raise Own
    """),
    "a str that ends the program": Program("""
        class Own(Exception):
            def __str__(self): raise SystemExit
        def run():
            raise Own
    """),
    "a class in a class, of a module": Program("""
        class Outer:
            class Inner(Exception):
                pass
        def run():
            raise Outer.Inner('text')
    """),
    "a class of __main__": Program("""
        class Own(Exception):
            __module__ = '__main__'
        def run():
            raise Own('text')
    """),
    "a class of no module": Program(
        """
        class Own(Exception):
            __module__ = None
        def run():
            raise Own('text')
    """,
        native=False,
    ),
    "a class that is falsy": Program(
        """
        class Own(Exception):
            def __bool__(self): return False
        def run():
            raise Own('text') from KeyError(1)
    """,
        native=False,
    ),
    "a class with a length": Program(
        """
        class Own(Exception):
            def __len__(self): return 0
        def run():
            raise KeyError(1) from Own('text')
    """,
        native=False,
    ),
    "a class with a class of its own": Program(
        """
        import abc
        class Own(Exception, metaclass=abc.ABCMeta):
            pass
        def run():
            raise Own('text')
    """,
        native=False,
    ),
    "a class with slots": Program("""
        class Own(Exception):
            __slots__ = ('code',)
        def run():
            raise Own('text')
    """),
    "a class with a dictionary of its own": Program(
        """
        class Names(dict):
            pass
        def run():
            error = ValueError('text')
            error.__dict__ = Names(__notes__=['in a dictionary of its own'])
            raise error
    """,
    ),
    "what ends a program": Program("def run():\n    raise SystemExit(3)\n"),
    "an interrupt": Program("def run():\n    raise KeyboardInterrupt\n"),
    "a traceback that was cut": Program("""
        def f(n):
            return f(n - 1) if n else 1 / 0
        def run():
            try:
                f(6)
            except ZeroDivisionError as error:
                raise error.with_traceback(error.__traceback__.tb_next.tb_next)
    """),
    "a traceback that was made": Program("""
        import sys, types
        def run():
            frame = sys._getframe()
            error = ValueError('made')
            last = None
            for instruction, line in ((0, 1), (-1, 4), (2, 100), (4, 0), (6, -1)):
                last = types.TracebackType(last, frame, instruction, line)
            raise error.with_traceback(last)
    """),
    "raised again and again": Program("""
        def run():
            error = ValueError('again')
            for _ in range(6):
                try:
                    raise error
                except ValueError:
                    pass
            raise error
    """),
    "code without lines or columns": Program(
        """
        def inner():
            1 / 0
        def run():
            for kind in ('co_linetable', 'co_lnotab'):
                try:
                    code = inner.__code__.replace(**{kind: b''})
                    break
                except TypeError:
                    continue
            inner.__code__ = code
            inner()
    """,
        native=_before_3_11,
    ),
}
