// long procsup_clone3(struct clone_args* args, size_t size, int (*fn)(void*), void* arg)
//
// clone3(2) for a child that runs on its own stack in the caller's memory; glibc 2.36 has no public wrapper, and its
// clone(2) cannot pass what only clone3 has. In the parent: the child's pid, or -errno. In the child: fn(arg), whose result
// is its exit code. The kernel keeps all registers but the result (and, on x86-64, rcx and r11).

#if defined(__x86_64__)
    .text
    .globl procsup_clone3
    .type procsup_clone3, @function
procsup_clone3:
    endbr64
    movq %rcx, %r8
    movl $435, %eax
    syscall
    testq %rax, %rax
    jz 1f
    ret
1:  xorl %ebp, %ebp
    movq %r8, %rdi
    callq *%rdx
    movl %eax, %edi
    movl $231, %eax
    syscall
    hlt
    .size procsup_clone3, .-procsup_clone3
#elif defined(__aarch64__)
    .text
    .globl procsup_clone3
    .type procsup_clone3, %function
procsup_clone3:
    hint #34
    mov x8, #435
    svc #0
    cbz x0, 1f
    ret
1:  mov x29, #0
    mov x30, #0
    mov x0, x3
    blr x2
    mov x8, #94
    svc #0
    brk #1
    .size procsup_clone3, .-procsup_clone3
#endif

    .section .note.GNU-stack,"",%progbits
